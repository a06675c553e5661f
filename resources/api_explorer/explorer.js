// Starts the API explorer. A script of its own, since the page allows none within itself.
window.addEventListener("load", async () => {
  const answer = await fetch("/openapi.json");
  const spec = await answer.json();
  // A bearer token is typed in: signing in happens in Launchpad, not in this page.
  for (const name of Object.keys(spec.components.securitySchemes)) {
    spec.components.securitySchemes[name] = { type: "http", scheme: "bearer", bearerFormat: "JWT" };
  }
  window.ui = SwaggerUIBundle({
    spec,
    dom_id: "#explorer",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    filter: true,
    validatorUrl: null,
  });
});
