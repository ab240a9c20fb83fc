{% autoescape off %}resource "aws_cloudwatch_event_connection" "spot_console" {
  name               = "spot-console"
  authorization_type = "API_KEY"
  auth_parameters {
    api_key {
      key   = "X-Api-Key"
      value = "{{ secret }}"
    }
  }
}

resource "aws_cloudwatch_event_api_destination" "spot_console" {
  name                             = "spot-console"
  invocation_endpoint              = "{{ address }}"
  http_method                      = "POST"
  invocation_rate_limit_per_second = 300
  connection_arn                   = aws_cloudwatch_event_connection.spot_console.arn
}

resource "aws_cloudwatch_event_rule" "spot_console" {
  name          = "spot-console"
  description   = "Everything that tells of a spot reclaim"
  event_pattern = <<-PATTERN
  {{ pattern_indented }}
  PATTERN
}

resource "aws_cloudwatch_event_target" "spot_console" {
  rule     = aws_cloudwatch_event_rule.spot_console.name
  arn      = aws_cloudwatch_event_api_destination.spot_console.arn
  role_arn = aws_iam_role.spot_console.arn
  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }
}

resource "aws_iam_role" "spot_console" {
  name_prefix = "spot-console-"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "events.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "spot_console" {
  role = aws_iam_role.spot_console.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "events:InvokeApiDestination"
      Resource = aws_cloudwatch_event_api_destination.spot_console.arn
    }]
  })
}{% endautoescape %}
