// SPDX-License-Identifier: Apache-2.0

package format

import "encoding/binary"

// ECDHVersion begins the provider information of an ECDH keyring.
const ECDHVersion = 1

// ecdhCurves are the curves of ECDH keyrings by the length of a compressed
// point, which is what tells them apart.
var ecdhCurves = map[int]string{33: "p256", 49: "p384", 67: "p521"}

// ecdhPoints are the compressed points' lengths.
var ecdhPoints = []int{33, 49, 67}

// ECDHInfo is the provider information of an encrypted data key that a Raw ECDH
// or AWS KMS ECDH keyring wrote (Material Providers specification,
// [raw-ecdh-keyring], "Key Provider Information"):
//
//	version           1 byte, 01
//	recipient length  4 bytes
//	recipient         compressed point
//	sender length     4 bytes
//	sender            compressed point
//
// Both points are of one curve, so the whole has 75, 107 or 143 bytes.
//
// [raw-ecdh-keyring]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/raw-ecdh-keyring.md#key-provider-information
type ECDHInfo struct {
	Curve             string // "p256", "p384" or "p521"
	Recipient, Sender []byte // compressed points of X9.62, not checked to be on the curve
}

// ParseECDHInfo reads provider information. The points are parts of info. Errors:
// [ErrMalformed]. (The official library for Java does not read the sender's
// length. No writer stores another one, so it is checked here.)
func ParseECDHInfo(info []byte) (ECDHInfo, error) {
	for _, n := range ecdhPoints {
		if len(info) != 1+2*(4+n) {
			continue
		}
		if info[0] != ECDHVersion {
			return ECDHInfo{}, malformed("provider information of version %d, not %d", info[0], ECDHVersion)
		}
		recipient, sender := info[1:5+n], info[5+n:]
		if binary.BigEndian.Uint32(recipient) != uint32(n) || binary.BigEndian.Uint32(sender) != uint32(n) {
			return ECDHInfo{}, malformed("provider information with a point that does not have %d bytes", n)
		}
		return ECDHInfo{Curve: ecdhCurves[n], Recipient: recipient[4:], Sender: sender[4:]}, nil
	}
	return ECDHInfo{}, malformed("provider information of %d bytes, not 75, 107 or 143", len(info))
}

// Append appends the provider information of the two points to dst.
func (i ECDHInfo) Append(dst []byte) []byte {
	dst = append(dst, ECDHVersion)
	for _, point := range [][]byte{i.Recipient, i.Sender} {
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(point)))
		dst = append(dst, point...)
	}
	return dst
}
