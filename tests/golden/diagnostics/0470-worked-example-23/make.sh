# SPDX-License-Identifier: MIT
# The plane of the worked examples with its own invariants, which hold, and that of number 23.
cp -r "$TOP/tests/semantics/." .
cat >>gpc.yaml <<END

invariants:
  - {name: db-is-private, never: {in: wan0, from: internet, to: db}}
  - {name: admin-can-reach-app, always: {from: office, to: app, ports: [tcp/22]}}
  - {name: small-steps, remap: {backend: web, max: 30%}}
  - {name: budget, memory: 64Mi, max-lookups: 24}
  - {name: example-23, never: {in: wan0, from: internet, to: app}}
END
