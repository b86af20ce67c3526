using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.OpenApi;
using Piccolo.Api.Security;
using Swashbuckle.AspNetCore.Swagger;

namespace Piccolo.Api.Composition;

/// <summary>The contract, generated from the code: JSON for tools, YAML for the portal and scripts, a page to try it in Development.</summary>
internal static class OpenApiSetup
{
    private const string Document = "v1";

    public static IServiceCollection AddOpenApiDocument(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(options =>
        {
            options.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            options.SerializerOptions.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
            options.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
            options.SerializerOptions.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false));
        });
        services.AddEndpointsApiExplorer();
        return services.AddSwaggerGen(options =>
        {
            options.SwaggerDoc(Document, new OpenApiInfo
            {
                Title = "Piccolo Appliance",
                Version = Document,
                Description = "The appliance's HTTP API. Errors are application/problem+json (RFC 9457).",
            });
            options.SupportNonNullableReferenceTypes();
            options.AddSecurityDefinition("session", new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey,
                In = ParameterLocation.Cookie,
                Name = SessionCookie.PlainName,
                Description = "Begun by login or unlock; __Host-piccolo_session over HTTPS. Writes also need X-CSRF-Token.",
            });
            options.AddSecurityDefinition("token",
                new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "From POST /api/v1/auth/tokens." });
            options.OperationFilter<GuardedOperationFilter>();
        });
    }

    public static void MapOpenApiDocument(this WebApplication app)
    {
        app.MapSwagger("/swagger/{documentName}/swagger.json");
        app.MapGet("/api/v1/openapi.yaml", WriteYaml).ExcludeFromDescription();
        if (app.Environment.IsDevelopment()) app.UseSwaggerUI(options => options.SwaggerEndpoint($"/swagger/{Document}/swagger.json", "Piccolo Appliance"));
    }

    private static Microsoft.AspNetCore.Http.HttpResults.ContentHttpResult WriteYaml(ISwaggerProvider swagger)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        swagger.GetSwagger(Document).SerializeAsV3(new OpenApiYamlWriter(text));
        return TypedResults.Text(text.ToString(), "application/yaml");
    }
}
