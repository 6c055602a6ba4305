"""Sends one message, as text or in base64, with azure-storage-queue."""

import sys

from azure.storage.queue import QueueClient, TextBase64EncodePolicy

if len(sys.argv) != 5 or sys.argv[4] not in ("text", "base64"):
    sys.exit("usage: send.py CONNECTION-STRING QUEUE TEXT text|base64")
_, connection, queue, text, encoding = sys.argv
policy = TextBase64EncodePolicy() if encoding == "base64" else None
QueueClient.from_connection_string(connection, queue, message_encode_policy=policy).send_message(text)
