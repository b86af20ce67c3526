using Microsoft.OpenApi;
using Piccolo.Api.Http;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Piccolo.Api.Security;

/// <summary>Writes into the document what the guards of a route can answer, from the same metadata that the filters read.</summary>
internal sealed class GuardedOperationFilter : IOperationFilter
{
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var metadata = context.ApiDescription.ActionDescriptor.EndpointMetadata;
        operation.Responses ??= [];
        if (metadata.OfType<LazyBody>().FirstOrDefault() is { } body) operation.RequestBody = Describe(body, context);
        if (metadata.OfType<UnlockedGuard>().Any()) Add(operation, 423, "Locked, or not set up.");
        if (metadata.OfType<OwnerGuard>().Any())
        {
            Add(operation, 401, "No session and no valid token.");
            if (context.ApiDescription.HttpMethod is not ("GET" or "HEAD")) Add(operation, 403, "CSRF token missing or wrong, or a token that may only read.");
            operation.Security = [Require("session", context), Require("token", context)];
        }
        if (metadata.OfType<LeaderGuard>().Any())
        {
            Add(operation, 307, "Another node leads: Location and Piccolo-Leader say where.");
            Add(operation, 409, "Another node leads and which is not known, or the request conflicts with what exists.");
        }
        if (operation.RequestBody is not null) Add(operation, 400, "Invalid request; errors holds every field's messages.");
        Add(operation, 503, "Storage fault.");
    }

    private static OpenApiRequestBody Describe(LazyBody body, OperationFilterContext context)
    {
        var schema = context.SchemaGenerator.GenerateSchema(body.Type, context.SchemaRepository);
        var content = body.ContentTypes.ToDictionary(t => t, IOpenApiMediaType (_) => new OpenApiMediaType { Schema = schema });
        return new OpenApiRequestBody { Required = true, Content = content };
    }

    private static void Add(OpenApiOperation operation, int status, string description)
    {
        var key = status.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (operation.Responses!.ContainsKey(key)) return;
        operation.Responses[key] = new OpenApiResponse
        {
            Description = description,
            Content = new Dictionary<string, IOpenApiMediaType> { [Problems.ContentType] = new OpenApiMediaType() },
        };
    }

    private static OpenApiSecurityRequirement Require(string scheme, OperationFilterContext context) =>
        new() { [new OpenApiSecuritySchemeReference(scheme, context.Document)] = [] };
}
