// Benthos with the components that the comparison needs, and nothing else of it: its whole distribution takes minutes
// to build.
package main

import (
	"context"
	"io"
	"os"

	_ "github.com/benthosdev/benthos/v4/public/components/io"
	_ "github.com/benthosdev/benthos/v4/public/components/pure"
	_ "github.com/benthosdev/benthos/v4/public/components/redis"
	"github.com/benthosdev/benthos/v4/public/service"
)

func main() {
	go endWithParent()
	service.RunCLI(context.Background())
}

// endWithParent ends this program with the one that started it, however that ends: its standard input ends then.
// SIGTERM is Benthos' own affair.
func endWithParent() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}
