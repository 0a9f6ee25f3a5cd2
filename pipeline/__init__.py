"""mediasms: validate, send, pull and reconcile bulk SMS through the MediaSMS gateway."""
