{% autoescape off %}# A queue that the console polls by itself
resource "aws_sqs_queue" "spot_console" {
  name                       = "spot-console"
  visibility_timeout_seconds = 60
  receive_wait_time_seconds  = 20
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

variable "console_principal" {
  type        = string
  description = "ARN of the role or user that the console runs as"
}

resource "aws_iam_role" "spot_console" {
  name = "spot-console-polls"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = var.console_principal }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "spot_console" {
  name = "spot-console-polls"
  role = aws_iam_role.spot_console.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
      Resource = aws_sqs_queue.spot_console.arn
    }]
  })
}

output "queue_url" { value = aws_sqs_queue.spot_console.id }
output "role_arn" { value = aws_iam_role.spot_console.arn }{% endautoescape %}
