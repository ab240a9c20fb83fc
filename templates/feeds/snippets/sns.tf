{% autoescape off %}resource "aws_sns_topic" "spot_console" {
  name              = "spot-console"
  signature_version = 2
}

resource "aws_sns_topic_policy" "spot_console" {
  arn = aws_sns_topic.spot_console.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.spot_console.arn
    }]
  })
}

resource "aws_cloudwatch_event_rule" "spot_console_sns" {
  name          = "spot-console-sns"
  description   = "Everything that tells of a spot reclaim"
  event_pattern = <<-PATTERN
  {{ pattern_indented }}
  PATTERN
}

resource "aws_cloudwatch_event_target" "spot_console_sns" {
  rule = aws_cloudwatch_event_rule.spot_console_sns.name
  arn  = aws_sns_topic.spot_console.arn
}

resource "aws_sns_topic_subscription" "spot_console" {
  topic_arn              = aws_sns_topic.spot_console.arn
  protocol               = "https"
  endpoint               = "{{ address }}"
  endpoint_auto_confirms = true
}

output "topic_arn_for_the_feeds_settings" {
  value = aws_sns_topic.spot_console.arn
}{% endautoescape %}
