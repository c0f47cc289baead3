"""The smallest FastAPI application there is: what `leadyard serve` is measured against when it starts."""

from __future__ import annotations

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def answer() -> dict[str, bool]:
    return {"success": True}
