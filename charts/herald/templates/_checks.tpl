{{/* What the schema cannot say, because it is about two values. Each template of a
workload includes its own. */}}

{{- define "herald.checkBridge" -}}
{{- $bridge := .Values.bridge -}}
{{- $spool := include "herald.mebibytes" $bridge.spool.maxBytes | int -}}
{{- $volume := include "herald.mebibytes" $bridge.persistence.size | int -}}
{{- if gt (add $spool 256 | int) $volume -}}
{{- fail (printf "bridge.persistence.size: %s does not hold a spool of %s and 256Mi more" $bridge.persistence.size $bridge.spool.maxBytes) -}}
{{- end -}}
{{- if and $bridge.ingest.enabled (or $bridge.autoscaling.enabled (gt (int $bridge.replicas) 1)) -}}
{{- fail "bridge.ingest: takes a single bridge: what it has taken is in the spool of that one, another would take it again" -}}
{{- end -}}
{{- if and (include "herald.hasRoutes" .) .Values.networkPolicy.enabled (not .Values.networkPolicy.destinationPorts) -}}
{{- fail "networkPolicy.destinationPorts: bridge.routes lead to ports that must stand here" -}}
{{- end -}}
{{- $drain := include "herald.seconds" $bridge.drainTimeout | int -}}
{{- if le (int $bridge.terminationGracePeriodSeconds) (add $drain 5 | int) -}}
{{- fail (printf "bridge.terminationGracePeriodSeconds: %d must be more than 5 s above bridge.drainTimeout" (int $bridge.terminationGracePeriodSeconds)) -}}
{{- end -}}
{{- end -}}

{{- define "herald.checkStore" -}}
{{- $store := .Values.store -}}
{{- if $store.maxBytes -}}
{{- $most := include "herald.mebibytes" $store.maxBytes | int -}}
{{- $need := add $most 1024 | int -}}
{{- if .Values.backup.enabled -}}
{{- $need = add $need $most | int -}}
{{- end -}}
{{- if gt $need (include "herald.mebibytes" $store.persistence.size | int) -}}
{{- fail (printf "store.persistence.size: %s is too small: store.maxBytes of %s needs %dMi%s" $store.persistence.size $store.maxBytes $need (.Values.backup.enabled | ternary ", with backups" "")) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "herald.checkWeb" -}}
{{- $oidc := .Values.web.auth.oidc -}}
{{- if $oidc.issuer -}}
{{- if not (regexMatch "^https?://[^/]+/?$" .Values.url) -}}
{{- fail "url: web.auth.oidc needs the address of the pages, without a path: the provider sends people back to it" -}}
{{- end -}}
{{- if not $oidc.clientId -}}
{{- fail "web.auth.oidc.clientId: is needed with web.auth.oidc.issuer" -}}
{{- end -}}
{{- if not (or $oidc.viewers $oidc.operators) -}}
{{- fail "web.auth.oidc: nobody could sign in without groups of viewers or operators" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "herald.checkNeelix" -}}
{{- $neelix := .Values.neelix -}}
{{- if not (or $neelix.rules $neelix.existingRulesConfigMap) -}}
{{- fail "neelix.rules: neelix needs rules, or neelix.existingRulesConfigMap" -}}
{{- end -}}
{{- if not (or $neelix.smtp.existingSecret $neelix.smtp.url) -}}
{{- fail "neelix.smtp: neelix needs existingSecret or url of a mail server" -}}
{{- end -}}
{{- if le (include "herald.seconds" $neelix.interval | int) (int $neelix.activeDeadlineSeconds) -}}
{{- fail (printf "neelix.activeDeadlineSeconds: %d must be shorter than neelix.interval" (int $neelix.activeDeadlineSeconds)) -}}
{{- end -}}
{{- end -}}
