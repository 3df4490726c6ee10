"""The certificate: any plan, ours or a foreign one, judged by the law and a region's facts.

`read_given` reads a plan as it was given, `certify` judges the times, places and loads that it
says, and the `Certificate` tells what is broken, with the paragraph, and what was not judged.
"""

from optimizer.certify.certificate import Certificate, document
from optimizer.certify.files import read_given, write_csv
from optimizer.certify.finding import Finding, NotApplied, NotJudged
from optimizer.certify.given import Action, GivenPlan, GivenStop, GivenTour
from optimizer.certify.judge import certify

__all__ = [
    "Action",
    "Certificate",
    "Finding",
    "GivenPlan",
    "GivenStop",
    "GivenTour",
    "NotApplied",
    "NotJudged",
    "certify",
    "document",
    "read_given",
    "write_csv",
]
