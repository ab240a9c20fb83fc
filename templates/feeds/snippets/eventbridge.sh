{% autoescape off %}set -eu
connection=$(aws events create-connection --name spot-console \
  --authorization-type API_KEY \
  --auth-parameters 'ApiKeyAuthParameters={ApiKeyName=X-Api-Key,ApiKeyValue={{ secret }}}' \
  --query ConnectionArn --output text)

destination=$(aws events create-api-destination --name spot-console \
  --connection-arn "$connection" --http-method POST \
  --invocation-endpoint '{{ address }}' \
  --invocation-rate-limit-per-second 300 \
  --query ApiDestinationArn --output text)

# Roles are known in every region: the second region finds this one there.
role=$(aws iam get-role --role-name spot-console --query Role.Arn --output text 2>/dev/null ||
  aws iam create-role --role-name spot-console --query Role.Arn --output text \
    --assume-role-policy-document '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
      "Action": "sts:AssumeRole", "Principal": {"Service": "events.amazonaws.com"}}]}')
aws iam put-role-policy --role-name spot-console --policy-name spot-console \
  --policy-document '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
    "Action": "events:InvokeApiDestination", "Resource": "arn:aws:events:*:*:api-destination/spot-console/*"}]}'

aws events put-rule --name spot-console --event-pattern '{{ pattern }}'
aws events put-targets --rule spot-console \
  --targets "Id=spot-console,Arn=$destination,RoleArn=$role"{% endautoescape %}
