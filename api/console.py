"""The console's files, or a page that says how to build them."""

from html import escape
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
_NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>binround</title></head>
<body><h1>binround</h1>
<p>The API runs, but the console has not been built. Build it with</p>
<pre>{command}</pre>
<p>and load this page again. The API describes itself at
<a href="/openapi.json">/openapi.json</a>.</p></body></html>"""


class _Assets(StaticFiles):
    """Files whose name changes with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Let the browser keep them."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def install(app: FastAPI, folder: Path = STATIC) -> None:
    """Serve the console at `/` and the description of the API at `/docs`.

    Whether it is built is looked up at every request, so that it can be built while we run.
    """

    def page(name: str) -> Response:
        if not (folder / name).is_file():
            text = _NOT_BUILT.format(command=escape("python hatch_build.py"))
            return HTMLResponse(text, headers={"Cache-Control": "no-store"})
        return FileResponse(folder / name, headers={"Cache-Control": "no-cache"})

    def index() -> Response:
        return page("index.html")

    def docs() -> Response:
        return page("docs.html")

    def icon() -> Response:
        return (
            FileResponse(folder / "favicon.svg") if folder.is_dir() else Response(status_code=404)
        )

    for path, endpoint in (("/", index), ("/docs", docs), ("/favicon.svg", icon)):
        app.add_api_route(
            path,
            endpoint,
            methods=["GET", "HEAD"],
            include_in_schema=False,
            response_class=Response,
        )
    app.mount("/assets", _Assets(directory=folder / "assets", check_dir=False))
