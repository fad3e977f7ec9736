package crl

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// publish gives a file that has been written its name, when it is on disk.
func publish(file *os.File, name string) error {
	if err := file.Sync(); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), name); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(name))
}

func syncFolder(name string) error {
	folder, err := os.Open(name)
	if err != nil {
		return err
	}
	defer folder.Close()
	// Not every system can do this to a folder; then its names are as durable as it
	// makes them.
	if err := folder.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrInvalid) {
		return err
	}
	return nil
}

// writeFile writes a small file by way of another one.
func writeFile(place, name string, data []byte) error {
	file, err := os.CreateTemp(place, tempPattern)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err = file.Write(data); err == nil {
		err = publish(file, name)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}
