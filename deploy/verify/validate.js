// Validates custom resources, a JSON array on standard input, against their schemas; prints what is wrong, a line each.
// A kind that nothing here knows is wrong too.
import { readFileSync } from "node:fs";

const packages = {
  "argoproj.io": "@kubernetes-models/argo-cd",
  "external-secrets.io": "@kubernetes-models/external-secrets",
  "gateway.networking.k8s.io": "@kubernetes-models/gateway-api",
  "keda.sh": "@kubernetes-models/keda",
  "postgresql.cnpg.io": "@kubernetes-models/cloudnative-pg",
};

async function complaint(resource) {
  const [group, version] = resource.apiVersion.split("/");
  if (!(group in packages)) {
    return `no schema for ${resource.apiVersion} ${resource.kind}`;
  }
  const models = await import(`${packages[group]}/${group}/${version}`);
  if (!(resource.kind in models)) {
    return `no schema for ${resource.apiVersion} ${resource.kind}`;
  }
  try {
    new models[resource.kind](resource).validate();
  } catch (error) {
    return `${resource.kind} ${resource.metadata?.name}: ${error.message}`;
  }
  return null;
}

const resources = JSON.parse(readFileSync(0, "utf8"));
const complaints = (await Promise.all(resources.map(complaint))).filter(Boolean);
complaints.forEach((each) => console.log(each));
process.exit(complaints.length ? 1 : 0);
