"""The independent judge: recomputes a solution and cites each rule that it breaks."""
