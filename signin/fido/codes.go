package fido

import (
	"regexp"
	"strconv"
	"strings"
)

// A listed code is an entry of table 5-1-1 of the specification. The number is what
// the app shows in its place.
type listed struct {
	class  Class
	number int
}

// codes are all error codes of the interface.
var codes = map[string]listed{
	"SPTKTID_TXNLOG_NF": {ClassPending, 9007},

	"APP_USER_CANCEL": {ClassCanceled, 9015},

	"APP_SIGN_FAILURE": {ClassAppFailed, 9014},
	"APP_DECODE_FAIL":  {ClassAppFailed, 9016},
	"APP_DATA_NULL":    {ClassAppFailed, 9017},

	"SPTKT_OVD": {ClassExpired, 1101},

	"SPTKTID_SPTKT_NF": {ClassUnknownTicket, 1102},

	"SPTKTID_SPTKT_RDM": {ClassUsed, 1103},

	"IDNUM_USERPROF_NF": {ClassNotEnrolled, 1051},
	"IDNUM_DEVPROF_NF":  {ClassNotEnrolled, 1053},

	"DEVID_DEVPROF_NF":  {ClassDeviceGone, 1061},
	"DEV_DESC_MISMATCH": {ClassDeviceGone, 1063},
	"DEV_LIM_REACHED":   {ClassDeviceGone, 1055},

	"DEVID_SPTKT_MISMATCH":    {ClassWrongPerson, 1064},
	"IDNUM_DEVID_MISMATCH":    {ClassWrongPerson, 1080},
	"OTP_IDNUM_MISMATCH":      {ClassWrongPerson, 1032},
	"NFCNONCE_IDNUM_MISMATCH": {ClassWrongPerson, 1036},

	"OTP_EXPIRED":      {ClassEnrollment, 1031},
	"OTP_NF":           {ClassEnrollment, 1033},
	"NFCNONCE_NF":      {ClassEnrollment, 1035},
	"NFCNONCE_EXPIRED": {ClassEnrollment, 1105},

	"CERT_SIGNDATA_MISMATCH": {ClassContent, 1081},
	"CERT_SIGNDATA_ERR":      {ClassContent, 1082},
	"SIGRESP_CNT_MISMATCH":   {ClassContent, 1106},
	"PM_SIGDATA_ERR":         {ClassContent, 5003},
	"PM_INV_SG":              {ClassContent, 5004},
	"PM_SIGNDATA_NULL":       {ClassContent, 5005},

	"PM_INV_NF":                        {ClassRequest, 5002},
	"SPTKT_PLD_FT_ERR":                 {ClassRequest, 9002},
	"SPTKT_DIG_FT_ERR":                 {ClassRequest, 9003},
	"TGT_INV":                          {ClassRequest, 9005},
	"SIGNDATA_LEN_LIMIT":               {ClassRequest, 9008},
	"SPTKT_TIME_FT_ERR":                {ClassRequest, 9009},
	"SPTKT_TIME_ORV":                   {ClassRequest, 9010},
	"BATSIGN_CNT_LIMIT":                {ClassRequest, 9013},
	"TXNLOG_INS_ERR":                   {ClassRequest, 1074},
	"ENC_REQUEST_CERT_SIGN_TYPE_ERROR": {ClassRequest, 0},

	"PM_IDN_FT_ERR": {ClassIDNumber, 9006},

	"INV_SP_CHECKSUM": {ClassCredentials, 9004},
	"SPSVCID_NF":      {ClassCredentials, 9011},

	"SPTKT_INS_ERR": {ClassMismatch, 1073},

	"PS_FCM_NOT_FOUND": {ClassUndeliverable, 3111},

	"PS_CONNECT_404":             {ClassPushFault, 3002},
	"PS_CONNECT_500":             {ClassPushFault, 3003},
	"PS_JSON_FMT_ERR":            {ClassPushFault, 3004},
	"PS_JSON_TYPE_ERR":           {ClassPushFault, 3005},
	"PS_JSON_MISS_KEY":           {ClassPushFault, 3006},
	"PS_CONNECT_IOEXC":           {ClassPushFault, 3007},
	"PS_1001":                    {ClassPushFault, 3008},
	"PS_5000":                    {ClassPushFault, 3009},
	"PS_FCM_UNKNOWN":             {ClassPushFault, 3101},
	"PS_FCM_ABORTED":             {ClassPushFault, 3102},
	"PS_FCM_ALREADY_EXISTS":      {ClassPushFault, 3103},
	"PS_FCM_CANCELLED":           {ClassPushFault, 3104},
	"PS_FCM_CONFLICT":            {ClassPushFault, 3105},
	"PS_FCM_DATA_LOSS":           {ClassPushFault, 3106},
	"PS_FCM_DEADLINE_EXCEEDED":   {ClassPushFault, 3107},
	"PS_FCM_FAILED_PRECONDITION": {ClassPushFault, 3108},
	"PS_FCM_INTERNAL":            {ClassPushFault, 3109},
	"PS_FCM_INVALID_ARGUMENT":    {ClassPushFault, 3110},
	"PS_FCM_OUT_OF_RANGE":        {ClassPushFault, 3112},
	"PS_FCM_PERMISSION_DENIED":   {ClassPushFault, 3113},
	"PS_FCM_RESOURCE_EXHAUSTED":  {ClassPushFault, 3114},
	"PS_FCM_UNAUTHENTICATED":     {ClassPushFault, 3115},
	"PS_FCM_UNAVAILABLE":         {ClassPushFault, 3116},

	"DB_CONN_ERR":          {ClassFault, 1021},
	"DB_SQL_EXP":           {ClassFault, 1022},
	"DB_ROOLBACK":          {ClassFault, 1023},
	"DB_CLOSE_ERR":         {ClassFault, 1024},
	"DB_JNDI_ERR":          {ClassFault, 1025},
	"UNDEFINED":            {ClassFault, 1026},
	"NFCNONCE_INS_ERR":     {ClassFault, 1027},
	"OTP_INS_ERR":          {ClassFault, 1028},
	"NFCNONCE_DBSQL":       {ClassFault, 1029},
	"NFCNONCE_DEL_ERR":     {ClassFault, 1030},
	"OTP_DBSQL":            {ClassFault, 1034},
	"IDNUM_USERPROF_DBSQL": {ClassFault, 1052},
	"IDNUM_DEVPROF_DBSQL":  {ClassFault, 1054},
	"DEVID_DEVPROF_DBSQL":  {ClassFault, 1062},
	"USERPROF_INS_ERR":     {ClassFault, 1071},
	"DEVPROF_INS_ERR":      {ClassFault, 1072},
	"USERPROF_DEL_ERR":     {ClassFault, 1075},
	"DEVPROF_DEL_ERR":      {ClassFault, 1076},
	"SPTKT_DEL_ERR":        {ClassFault, 1077},
	"USERPROF_UPD_ERR":     {ClassFault, 1078},
	"DEVPROF_UPD_ERR":      {ClassFault, 1079},
	"SPTKTID_SPTKT_DBSQL":  {ClassFault, 1104},
	"SPSVCID_DBSQL":        {ClassFault, 9012},

	// Of older deployments: not done yet.
	"20002": {ClassPending, 20002},
	"20003": {ClassPending, 20003},

	// What the specification says is shown in the app only.
	"10002": {ClassAppFailed, 10002},
	"32001": {ClassAppFailed, 32001},
	"32002": {ClassAppFailed, 32002},
	"32003": {ClassCanceled, 32003},
	"32004": {ClassAppFailed, 32004},
	"32005": {ClassAppFailed, 32005},
	"32006": {ClassAppFailed, 32006},
}

// succeeded is the code of success.
const succeeded = "0"

var (
	codePrefix = regexp.MustCompile(`^SP-API-[A-Z]+-[0-9]{2}-`)

	// unlistedForm is that of unlisted codes that errors repeat: words, and numbers
	// too short to be anybody's.
	unlistedForm = regexp.MustCompile(`^[A-Z]{1,20}(_[A-Z]{1,20}|_[0-9]{1,3})+$`)
)

// parseCode returns the code in what stands on the wire: cut at the first colon,
// without the interface in front.
func parseCode(wire string) string {
	code, _, _ := strings.Cut(wire, ":")
	return codePrefix.ReplaceAllString(strings.TrimSpace(code), "")
}

// codeError returns the error for a code that is not success. A code that is not
// listed is final.
func codeError(wire string) *Error {
	code := parseCode(wire)
	if entry, ok := codes[code]; ok {
		return &Error{Class: entry.class, Code: code, Number: entry.number}
	}
	// Some deployments are said to send the number.
	for name, entry := range codes {
		if entry.number > 0 && strconv.Itoa(entry.number) == code {
			return &Error{Class: entry.class, Code: name, Number: entry.number}
		}
	}
	e := &Error{Class: ClassUnknownCode}
	if len(code) <= 50 && unlistedForm.MatchString(code) {
		e.Code = code
	}
	return e
}
