{{- define "scs.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{/* At most 52 characters, so that -migration and -postgresql fit behind it. */}}
{{- define "scs.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "scs.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "scs.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "scs.selector" -}}
app.kubernetes.io/name: {{ include "scs.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Of everything but the pods of the service itself: the Service and the budget must not count these. */}}
{{- define "scs.partSelector" -}}
app.kubernetes.io/name: {{ printf "%s-%s" (include "scs.name" .root | trunc 50 | trimSuffix "-") .part }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{- define "scs.release" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "scs.labels" -}}
{{ include "scs.selector" . }}
{{ include "scs.release" . }}
{{- end }}

{{- define "scs.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end }}

{{- define "scs.secretName" -}}
{{- default (include "scs.fullname" .) .Values.secrets.name -}}
{{- end }}

{{- define "scs.migrationSecretName" -}}
{{- default (printf "%s-migration" (include "scs.fullname" .)) .Values.secrets.migrationName -}}
{{- end }}

{{/* Everywhere by reference. Optional is only what the program can do without: without API_KEY it refuses to start,
     unless SHARED_API_KEY=off. */}}
{{- define "scs.secretEnv" -}}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      {{- if .Values.postgresql.enabled }}
      name: {{ include "scs.fullname" . }}-postgresql
      {{- else }}
      name: {{ include "scs.secretName" . }}
      {{- end }}
      key: DATABASE_URL
- name: API_KEY
  valueFrom:
    secretKeyRef:
      name: {{ include "scs.secretName" . }}
      key: API_KEY
      optional: true
- name: JWT_SECRET_KEY
  valueFrom:
    secretKeyRef:
      name: {{ include "scs.secretName" . }}
      key: JWT_SECRET_KEY
- name: ADMIN_API_KEY
  valueFrom:
    secretKeyRef:
      name: {{ include "scs.secretName" . }}
      key: ADMIN_API_KEY
      optional: true
- name: AUDIT_HMAC_KEY
  valueFrom:
    secretKeyRef:
      name: {{ include "scs.secretName" . }}
      key: AUDIT_HMAC_KEY
      optional: true
{{- end }}

{{- define "scs.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "scs.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Names in and out of the cluster's DNS, and the cache that some clusters run on each node. */}}
{{- define "scs.egressNames" -}}
- to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: kube-system
    - ipBlock:
        cidr: 169.254.0.0/16
  ports:
    - protocol: UDP
      port: 53
    - protocol: TCP
      port: 53
{{- end }}

{{- define "scs.egressDatabase" -}}
- ports:
    {{- range .Values.networkPolicy.databasePorts }}
    - protocol: TCP
      port: {{ . }}
    {{- end }}
{{- end }}

{{/* What the schema cannot say. */}}
{{- define "scs.refuse" -}}
{{- if and .Values.secrets.create .Values.externalSecret.enabled -}}
{{- fail "secrets.create and externalSecret.enabled would make the same Secret: set one of them." -}}
{{- end -}}
{{- if and (eq .Values.migration.mode "job") (or .Values.secrets.create .Values.externalSecret.enabled .Values.postgresql.enabled) -}}
{{- fail "migration.mode=job runs before the release makes anything: its Secret and database must be there already. Use migration.mode=initContainer with secrets.create, externalSecret.enabled or postgresql.enabled." -}}
{{- end -}}
{{- if and .Values.postgresql.enabled (not .Values.postgresql.password) -}}
{{- fail "postgresql.enabled needs postgresql.password: at least 16 letters and digits." -}}
{{- end -}}
{{- if and .Values.externalSecret.enabled (not .Values.externalSecret.store.name) -}}
{{- fail "externalSecret.enabled needs externalSecret.store.name." -}}
{{- end -}}
{{- if and .Values.externalSecret.enabled (not .Values.externalSecret.key) (not .Values.externalSecret.data) -}}
{{- fail "externalSecret.enabled needs externalSecret.key or externalSecret.data." -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- fail "ingress.enabled needs ingress.hosts." -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.enabled needs httpRoute.parentRefs: the Gateway that it hangs on." -}}
{{- end -}}
{{- $needed := mul (add .Values.autoscaling.maxReplicas 2) (add (int .Values.config.DATABASE_POOL_MAX) 2) -}}
{{- $usable := sub .Values.autoscaling.maxConnections .Values.autoscaling.reservedConnections -}}
{{- if and .Values.autoscaling.enabled (ge (int $needed) (int $usable)) -}}
{{- fail (printf "autoscaling.maxReplicas needs up to %d connections to the database during a deploy, and it has %d. Lower maxReplicas or DATABASE_POOL_MAX, or raise autoscaling.maxConnections if the database allows more." (int $needed) (int $usable)) -}}
{{- end -}}
{{- end }}
