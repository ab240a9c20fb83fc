{% autoescape off %}helm upgrade --install aws-node-termination-handler \
  oci://public.ecr.aws/aws-ec2/helm/aws-node-termination-handler \
  --namespace kube-system --reuse-values --values spot-console-values.yaml{% endautoescape %}
