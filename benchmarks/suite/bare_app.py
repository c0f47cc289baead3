"""The smallest possible FastAPI application, with which the start of `leadyard serve` is compared."""

from __future__ import annotations

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def answer() -> dict[str, bool]:
    return {"success": True}
