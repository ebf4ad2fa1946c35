"""An API where payments are made, each of them allowed by itself (RFC 9396 section 2)."""

from typing import Any

PAYMENTS = "https://payments.test"
TYPES: dict[str, Any] = {
    "payment_initiation": {
        "words": "Pay from your account",
        "fields": {
            "actions": {"kind": "texts", "words": "What for", "among": ["initiate", "status"]},
            "creditorName": {"kind": "text", "words": "To whom", "required": True},
            "instructedAmount": {
                "kind": "object",
                "words": "How much",
                "required": True,
                "fields": {
                    "currency": {"kind": "text", "words": "currency", "required": True},
                    "amount": {"kind": "number", "words": "amount", "required": True},
                },
            },
            "parts": {
                "kind": "objects",
                "words": "Part",
                "fields": {"note": {"kind": "text", "words": "note"}},
            },
            "urgent": {"kind": "flag", "words": "At once"},
        },
    },
    "account_information": {"words": "See your accounts", "fields": {}},
}
PAYMENT: dict[str, Any] = {
    "type": "payment_initiation",
    "actions": ["initiate", "status"],
    "creditorName": "Merchant A",
    "instructedAmount": {"currency": "EUR", "amount": 123.5},
    "parts": [{"note": "first"}, {"note": "second"}],
    "urgent": True,
}
