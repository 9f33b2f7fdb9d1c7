// Package daemon is what fathomd is made of: configuration, the pipeline from
// camera to label, and the state that the web page, the metrics and the log
// show. It links no inference library: the engine comes in through the Engine
// interface.
//
// Concepts. The pipeline takes the newest frame of a camera, classifies it with
// the active variant, smooths the probabilities over a short time and tells the
// governor what the inference took. The governor decides once a second which
// variant is active and how long to wait between two frames. Whatever fails
// while the daemon runs (camera, sensor, inference) degrades it and is named on
// the page, in /healthz and once in the log; it goes on trying.
//
// Units: durations are time.Duration, probabilities and accuracies are in
// [0, 1], temperatures in degrees Celsius. In JSON, milliseconds end in _ms.
//
// Goroutines: one goroutine runs the pipeline and is the only one to call the
// camera and Engine.Infer; the governor's loop runs in another; web and metrics
// read a State that is locked inside.
package daemon
