{{/* What all pods have in common: who they are, what they may do, where they run. */}}

{{/* Beginning of a pod's spec. Takes (list $ component's-values). */}}
{{- define "herald.pod" -}}
{{- $root := index . 0 -}}
{{- $own := index . 1 -}}
serviceAccountName: {{ include "herald.serviceAccount" $root }}
automountServiceAccountToken: false
# Variables such as STORE_PORT, which Kubernetes makes of Services, would be read as ours.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ int $root.Values.runAsUser }}
  runAsGroup: {{ int $root.Values.runAsUser }}
  fsGroup: {{ int $root.Values.runAsUser }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $own.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Where the pods of a component with several go. Takes (list $ own component). */}}
{{- define "herald.spread" -}}
{{- $own := index . 1 -}}
topologySpreadConstraints:
{{- if $own.topologySpreadConstraints }}
{{- toYaml $own.topologySpreadConstraints | nindent 2 }}
{{- else }}
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "herald.selector" (list (index . 0) (index . 2)) | nindent 8 }}
{{- end }}
{{- end -}}

{{/* Beginning of a container. Takes (list $ component's-values). */}}
{{- define "herald.container" -}}
{{- $root := index . 0 -}}
{{- $own := index . 1 -}}
image: {{ include "herald.image" (list $root $own.image) | quote }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
resources: {{- toYaml $own.resources | nindent 2 }}
{{- end -}}

{{/* Variables of every container. */}}
{{- define "herald.env" -}}
{{- $root := index . 0 -}}
- name: DEV_STAGE
  value: {{ $root.Values.stage }}
- name: HERALD_LOG
  value: {{ $root.Values.log | quote }}
{{- with $root.Values.telemetry.otlpEndpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- with (index . 1).extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Probes of a service. Liveness asks whether the process answers, readiness whether it
can work; the start may take as long as migration or replay do. Takes (list port seconds). */}}
{{- define "herald.probes" -}}
startupProbe:
  grpc:
    port: {{ index . 0 }}
  periodSeconds: 1
  timeoutSeconds: 2
  failureThreshold: {{ int (index . 1) }}
livenessProbe:
  grpc:
    port: {{ index . 0 }}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  grpc:
    port: {{ index . 0 }}
    service: readiness
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
{{- end -}}

{{- define "herald.mounts" -}}
- name: tmp
  mountPath: /tmp
{{- with .extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "herald.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- with .extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Spec of a claim. Takes the component's persistence. */}}
{{- define "herald.claim" -}}
accessModes: [{{ .accessMode }}]
{{- with .storageClass }}
storageClassName: {{ . }}
{{- end }}
resources:
  requests:
    storage: {{ .size }}
{{- end -}}
