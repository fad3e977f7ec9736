package redis_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/tls"

	goredis "github.com/redis/go-redis/v9"

	"github.com/citizencert/citizencert/contrib/redis"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

// The servers of a service share challenges and the ends of sessions.
func Example() {
	newAuthenticator := func(ctx context.Context, v *verify.Verifier, key *ecdsa.PrivateKey, pairwiseKey []byte) (*signin.Authenticator, error) {
		client := goredis.NewClient(&goredis.Options{
			Addr:                  "redis.example.gov.tw:6379",
			Password:              "", // from where the service keeps its secrets
			TLSConfig:             &tls.Config{MinVersion: tls.VersionTLS12},
			ContextTimeoutEnabled: true,
		})
		store, err := redis.New(ctx, redis.Config{Client: client, Environment: v.Environment()})
		if err != nil {
			client.Close()
			return nil, err
		}
		return signin.New(signin.Config{
			Verifier:    v,
			Origins:     []string{"https://tax.example.gov.tw"},
			Service:     "tax",
			Key:         key,
			PairwiseKey: pairwiseKey,
			Challenges:  store,
			Sessions:    store,
		})
	}
	_ = newAuthenticator
}
