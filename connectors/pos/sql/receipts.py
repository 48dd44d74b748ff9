"""What the tills know: receipts and gift cards."""

from __future__ import annotations

import sqlalchemy as sa

from bot.core.shop import GiftCard, Receipt
from bot.core.shop_numbers import gift_card_code
from connectors.pos.sql.reading import lines_of, receipt_from
from connectors.sql.database import Database


class Receipts:
    """The POS's receipts and gift cards; none where the shop has no table for them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def gift_card(self, code: str) -> GiftCard | None:
        async with self._database.session() as session:
            table = session.table("gift_card")
            if not table.exists:
                return None
            wanted = gift_card_code(code) or code.strip().upper()
            found = await session.record("gift_card", sa.func.upper(table["code"]) == wanted)
        if found is None:
            return None
        return GiftCard(
            code=found.text("code"),
            balance=found.money("balance"),
            currency=found.text("currency"),
            expires_on=found.day("expires_on"),
        )

    async def receipts_of(self, customer_id: str, limit: int) -> list[Receipt]:
        async with self._database.session() as session:
            table = session.table("receipt")
            if not table.exists or not table.has("customer_id"):
                return []
            found = await session.records(
                "receipt",
                table["customer_id"] == customer_id,
                order_by=(table["bought_at"].desc(), table["number"].desc()),
                limit=limit,
            )
            numbers = [record.text("number") for record in found]
            lines = await lines_of(session, "receipt_line", "receipt_number", numbers)
        return [receipt_from(record, lines[record.text("number")]) for record in found]
