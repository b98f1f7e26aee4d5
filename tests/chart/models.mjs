// Holds objects, as one JSON list on stdin, against models that know enumerations and the
// objects of other projects. They do not find misspelled fields: kubernetes-validate does.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

// The tests' own node_modules, wherever this is started.
const require = createRequire(import.meta.url);

async function model({ apiVersion, kind }) {
  if (apiVersion.startsWith("gateway.networking.k8s.io/")) {
    // An older package, which cannot be imported by path.
    return require(`@kubernetes-models/gateway-api/${apiVersion}/${kind}`)[kind];
  }
  if (apiVersion.startsWith("cert-manager.io/")) {
    return (await import(`@kubernetes-models/cert-manager/${apiVersion}/${kind}`))[kind];
  }
  const isOperator = apiVersion.startsWith("monitoring.coreos.com/");
  const home = isOperator ? "@kubernetes-models/prometheus-operator" : "kubernetes-models";
  return (await import(`${home}/${apiVersion}/${kind}`))[kind];
}

const objects = JSON.parse(await text(process.stdin));
let faults = 0;
for (const object of objects) {
  try {
    const Model = await model(object);
    new Model(object).validate();
  } catch (error) {
    faults += 1;
    console.log(`${object.kind} ${object.metadata.name}: ${error.message}`);
  }
}
console.log(`${objects.length} objects, ${faults} faults`);
process.exitCode = faults ? 1 : 0;
