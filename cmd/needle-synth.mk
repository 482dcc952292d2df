# needle-synth
