package der

// dotted returns the notation of the identifiers that stand in every SignedData
// and every certificate, without decoding them: that takes three allocations,
// and a message has a dozen. It returns "" for all others.
func dotted(body []byte) string {
	switch string(body) {
	case "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01":
		return "1.2.840.113549.1.7.1" // id-data
	case "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02":
		return "1.2.840.113549.1.7.2" // id-signedData
	case "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03":
		return "1.2.840.113549.1.9.3" // content-type
	case "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04":
		return "1.2.840.113549.1.9.4" // message-digest
	case "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05":
		return "1.2.840.113549.1.9.5" // signing-time
	case "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0f":
		return "1.2.840.113549.1.9.15" // smimeCapabilities
	case "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01":
		return "1.2.840.113549.1.1.1" // rsaEncryption
	case "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b":
		return "1.2.840.113549.1.1.11" // sha256WithRSAEncryption
	case "\x60\x86\x48\x01\x65\x03\x04\x02\x01":
		return "2.16.840.1.101.3.4.2.1" // id-sha256
	case "\x55\x04\x03":
		return "2.5.4.3" // commonName
	case "\x55\x04\x05":
		return "2.5.4.5" // serialNumber
	case "\x55\x04\x06":
		return "2.5.4.6" // countryName
	case "\x60\x86\x76\x01\x64\x02\x01":
		return "2.16.886.1.100.2.1" // subjectType, of a MOICA certificate
	case "\x60\x86\x76\x01\x64\x02\x33":
		return "2.16.886.1.100.2.51" // tailOfCitizenID
	case "\x60\x86\x76\x01\x64\x03\x01\x01":
		return "2.16.886.1.100.3.1.1" // citizen
	case "\x60\x86\x76\x65\x00\x03\x03":
		return "2.16.886.101.0.3.3" // assurance level 3
	}
	return ""
}
