{{/* Names, labels, ports and numbers that several templates need. */}}

{{/* Name of the release's objects: 40 characters, so that every suffix of ours fits. */}}
{{- define "herald.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := .Values.fullnameOverride -}}
{{- if not $full -}}
{{- $full = contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- end -}}
{{- $full | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* What selects a component's pods: never changes. Takes (list $ component). */}}
{{- define "herald.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Labels of pods: no version, which would restart all of them. */}}
{{- define "herald.podLabels" -}}
{{- $root := index . 0 -}}
{{- $labels := include "herald.selector" . | fromYaml -}}
{{- merge $labels (dict "app.kubernetes.io/part-of" "herald") $root.Values.podLabels | toYaml -}}
{{- end -}}

{{/* Labels of every other object. */}}
{{- define "herald.labels" -}}
{{- $root := index . 0 -}}
{{ include "herald.selector" . }}
app.kubernetes.io/part-of: herald
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
herald/stage: {{ $root.Values.stage }}
{{- end -}}

{{/* Number of a port: "bridge", "web", "store", "admin" or "ingest". Takes (list $ port). */}}
{{- define "herald.port" -}}
{{- $base := dict "TESTING" 9010 "DEVELOPMENT" 9020 "INTEGRATION" 9022 "PRODUCTION" 9024 -}}
{{- $offset := dict "bridge" 0 "web" 1 "store" 100 "admin" 200 "ingest" 300 -}}
{{- add (get $base (index . 0).Values.stage) (get $offset (index . 1)) -}}
{{- end -}}

{{- define "herald.storeUrl" -}}
{{ empty .Values.store.tls.existingSecret | ternary "http" "https" }}://{{ include "herald.fullname" . }}-store:{{ include "herald.port" (list . "store") }}
{{- end -}}

{{/* Whether bridges have a routes file: anything, or nothing. */}}
{{- define "herald.hasRoutes" -}}
{{- if or .Values.bridge.routes .Values.bridge.existingRoutesConfigMap }}yes{{ end -}}
{{- end -}}

{{/* The database's file name, as DEV_STAGE gives it. */}}
{{- define "herald.database" -}}
{{- $suffix := dict "TESTING" "_t" "DEVELOPMENT" "_d" "INTEGRATION" "_i" "PRODUCTION" "" -}}
herald.sqlite{{ get $suffix .Values.stage }}
{{- end -}}

{{- define "herald.serviceAccount" -}}
{{- $own := .Values.serviceAccount.create | ternary (include "herald.fullname" .) "default" -}}
{{- default $own .Values.serviceAccount.name -}}
{{- end -}}

{{/* Takes (list $ image). */}}
{{- define "herald.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $name := $image.repository -}}
{{- if $root.Values.image.registry -}}
{{- $name = printf "%s/%s" (trimSuffix "/" $root.Values.image.registry) $name -}}
{{- end -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (coalesce $image.tag $root.Values.image.tag $root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* Mebibytes of a size: of Kubernetes (`10Gi`) or of Herald (`10GiB`). */}}
{{- define "herald.mebibytes" -}}
{{- $factor := dict "Mi" 1 "Gi" 1024 "Ti" 1048576 -}}
{{- mul (regexFind "^[0-9]+" .) (get $factor (regexFind "[MGT]i" .)) -}}
{{- end -}}

{{/* Seconds of a time of Herald's (`90s`, `5m`, `2h`, `1d`). */}}
{{- define "herald.seconds" -}}
{{- $factor := dict "s" 1 "m" 60 "h" 3600 "d" 86400 -}}
{{- mul (regexFind "^[0-9]+" .) (get $factor (regexFind "[smhd]$" .)) -}}
{{- end -}}
