{{/* Pieces of the network policies. */}}

{{/* Beginning of a policy. Takes (list $ component). */}}
{{- define "herald.policy" -}}
{{- $root := index . 0 -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "herald.fullname" $root }}-{{ index . 1 }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "herald.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels: {{- include "herald.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
{{- end -}}

{{/* A port of TCP, open to peers or, if there are none, to everybody. Takes
(list "from"-or-"to" peers port ...). */}}
{{- define "herald.open" -}}
- ports:
    {{- range slice . 2 }}
    - {port: {{ int . }}, protocol: TCP}
    {{- end }}
  {{- with index . 1 }}
  {{ index $ 0 }}: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* A port of TCP, open to components. Takes (list $ "from"-or-"to" port component ...). */}}
{{- define "herald.openTo" -}}
{{- $root := index . 0 -}}
- ports:
    - {port: {{ index . 2 }}, protocol: TCP}
  {{ index . 1 }}:
    {{- range slice . 3 }}
    - podSelector:
        matchLabels: {{- include "herald.selector" (list $root .) | nindent 10 }}
    {{- end }}
{{- end -}}

{{/* Who may read metrics: Prometheus, wherever it runs in the cluster. */}}
{{- define "herald.metricsReaders" -}}
{{- default (list (dict "namespaceSelector" dict)) .Values.networkPolicy.metrics | toYaml -}}
{{- end -}}

{{/* What every pod of ours asks: names, and where traces go. */}}
{{- define "herald.egress" -}}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
  {{- with .Values.networkPolicy.dns }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- with .Values.telemetry.otlpEndpoint }}
- ports:
    - {port: {{ regexFind "[0-9]+/?$" . | trimSuffix "/" }}, protocol: TCP}
{{- end }}
{{- end -}}
