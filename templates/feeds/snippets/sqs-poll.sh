{% autoescape off %}QUEUE=$(aws sqs create-queue --queue-name spot-console --query QueueUrl --output text \
  --attributes VisibilityTimeout=60,ReceiveMessageWaitTimeSeconds=20,MessageRetentionPeriod=1209600)
ARN=$(aws sqs get-queue-attributes --queue-url "$QUEUE" --attribute-names QueueArn \
  --query Attributes.QueueArn --output text)
aws sqs set-queue-attributes --queue-url "$QUEUE" --attributes "$(printf '{"Policy": "{\\"Version\\": \\"2012-10-17\\", \\"Statement\\": [{\\"Effect\\": \\"Allow\\", \\"Principal\\": {\\"Service\\": \\"events.amazonaws.com\\"}, \\"Action\\": \\"sqs:SendMessage\\", \\"Resource\\": \\"%s\\"}]}"}' "$ARN")"
aws events put-rule --name spot-console-sqs --event-pattern '{{ pattern }}'
aws events put-targets --rule spot-console-sqs --targets "Id=spot-console,Arn=$ARN"
echo "$QUEUE"{% endautoescape %}
