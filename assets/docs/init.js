// Swagger UI over this gateway's own description. A key that is pasted stays in this page's memory.
window.SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  // Else a badge asks a server of theirs about the description.
  validatorUrl: null,
});
