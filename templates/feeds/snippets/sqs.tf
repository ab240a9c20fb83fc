{% autoescape off %}# Hands the queue's messages to {{ address }}
resource "aws_sqs_queue" "spot_console" {
  name                       = "spot-console"
  visibility_timeout_seconds = 60
  message_retention_seconds  = 1209600
  sqs_managed_sse_enabled    = true
}

resource "aws_sqs_queue_policy" "spot_console" {
  queue_url = aws_sqs_queue.spot_console.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.spot_console.arn
    }]
  })
}

resource "aws_cloudwatch_event_rule" "spot_console_sqs" {
  name          = "spot-console-sqs"
  description   = "Everything that tells of a spot reclaim"
  event_pattern = <<-PATTERN
  {{ pattern_indented }}
  PATTERN
}

resource "aws_cloudwatch_event_target" "spot_console_sqs" {
  rule = aws_cloudwatch_event_rule.spot_console_sqs.name
  arn  = aws_sqs_queue.spot_console.arn
}

# The function's own role needs AWSLambdaSQSQueueExecutionRole.
resource "aws_lambda_event_source_mapping" "spot_console" {
  event_source_arn = aws_sqs_queue.spot_console.arn
  function_name    = var.spot_console_function
  batch_size       = 100
  maximum_batching_window_in_seconds = 1
}{% endautoescape %}
