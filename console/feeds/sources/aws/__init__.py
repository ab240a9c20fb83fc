"""What AWS sends. `eventbridge.parse` is the door: an EventBridge event or a bare CloudTrail record."""
