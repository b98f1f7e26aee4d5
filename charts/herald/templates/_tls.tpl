{{/* Certificates of services, from Secrets as cert-manager makes them: tls.crt, tls.key,
ca.crt. */}}

{{/* Variables of a container. Takes (list component's-values prefix). */}}
{{- define "herald.tlsEnv" -}}
{{- if (index . 0).tls.existingSecret -}}
- name: {{ index . 1 }}_TLS_CERT
  value: /tls/tls.crt
- name: {{ index . 1 }}_TLS_KEY
  value: /tls/tls.key
- name: {{ index . 1 }}_TLS_CA
  value: /tls/ca.crt
{{- end }}
{{- end -}}

{{- define "herald.tlsMount" -}}
{{- if .tls.existingSecret -}}
- name: tls
  mountPath: /tls
  readOnly: true
{{- end }}
{{- end -}}

{{- define "herald.tlsVolume" -}}
{{- with .tls.existingSecret -}}
- name: tls
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- end -}}

{{/* The store asks everybody for a certificate: who has none is refused. */}}
{{- define "herald.checkTls" -}}
{{- $values := .Values -}}
{{- if $values.certManager.enabled -}}
{{- if not $values.certManager.issuerRef.name -}}
{{- fail "certManager.issuerRef.name: who signs the certificates?" -}}
{{- end -}}
{{- if not $values.store.tls.existingSecret -}}
{{- fail "store.tls.existingSecret: certManager makes the Secrets that are named, and none is" -}}
{{- end -}}
{{- end -}}
{{- range $name := list "bridge" "web" "neelix" "backup" -}}
{{- $own := get $values $name -}}
{{- $runs := or (not (hasKey $own "enabled")) $own.enabled -}}
{{- if and $runs $values.store.tls.existingSecret (not $own.tls.existingSecret) -}}
{{- fail (printf "%s.tls.existingSecret: the store asks for certificates (store.tls.existingSecret), so %s needs one" $name $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Where health and metrics of the store are: probes and Prometheus have no certificate. */}}
{{- define "herald.storeAdmin" -}}
{{- include "herald.port" (list . (empty .Values.store.tls.existingSecret | ternary "store" "admin")) -}}
{{- end -}}
