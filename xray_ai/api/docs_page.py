"""GET /docs: what can be asked, written from the OpenAPI description; it loads nothing from outside the hospital."""

from collections.abc import Iterable
from html import escape

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

STYLE = "body{font:16px/1.5 sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}code{background:#8882}"
PROGRAMS = "For programs: <a href='/openapi.json'>openapi.json</a>. Errors are <code>application/problem+json</code>."


@router.get("/docs", response_class=HTMLResponse)
def docs(request: Request) -> str:
    described = request.app.openapi()
    title = escape(f"{described['info']['title']} {described['info']['version']}")
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{STYLE}</style>",
        f"<h1>{title}</h1><p>{escape(described['info']['description'])}</p><p>{PROGRAMS}</p>",
    ]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            parts.append(f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(operation['summary'])}</p>")
            parts.append(_list((one["name"], one.get("description", "")) for one in operation.get("parameters", ())))
    return "".join(parts)


def _list(parameters: Iterable[tuple[str, str]]) -> str:
    items = (f"<li><code>{escape(name)}</code> {escape(description)}</li>" for name, description in parameters)
    return f"<ul>{''.join(items)}</ul>"
