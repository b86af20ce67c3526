using System.Reflection;
using System.Text.Json;
using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.Options;

namespace Piccolo.Api.Http;

/// <summary>
/// A JSON request body that is read only when the handler asks for it. Ordinary binding would wait for the whole body before any endpoint filter runs;
/// this way a follower answers with its leader hint after the headers.
/// </summary>
public sealed class RequestBody<T> : IEndpointParameterMetadataProvider where T : class
{
    private readonly HttpContext _context;

    private RequestBody(HttpContext context) => _context = context;

    // The shape that minimal APIs look for; it deliberately reads nothing.
#pragma warning disable CA1000
    public static ValueTask<RequestBody<T>> BindAsync(HttpContext context, ParameterInfo parameter) => new(new RequestBody<T>(context));

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new LazyBody(typeof(T), ["application/json"]));
#pragma warning restore CA1000

    /// <summary>Reads and validates. Exactly one of the two is set.</summary>
    public async Task<(T? Value, ProblemHttpResult? Problem)> ReadAsync(CancellationToken cancellationToken)
    {
        if (!_context.Request.HasJsonContentType())
            return (null, Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported_media_type", "Unsupported media type",
                "The body must be application/json."));
        try
        {
            var json = _context.RequestServices.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions;
            var value = await JsonSerializer.DeserializeAsync<T>(_context.Request.Body, json, cancellationToken);
            return value is null ? (null, NotAnObject()) : Validate(value);
        }
        catch (JsonException)
        {
            return (null, NotAnObject());
        }
    }

    private (T?, ProblemHttpResult?) Validate(T value)
    {
        var result = _context.RequestServices.GetRequiredService<IValidator<T>>().Validate(value);
        return result.IsValid ? (value, null) : (null, Problems.Invalid("invalid_request", "Invalid request", result.ToErrors()));
    }

    private static ProblemHttpResult NotAnObject() =>
        Problems.Of(StatusCodes.Status400BadRequest, "invalid_json", "Invalid JSON", "The body is not a JSON object of the documented shape.");
}

/// <summary>
/// Describes a body for the document. Not the framework's own metadata for this: routing would then refuse a content type before the guards are asked.
/// </summary>
internal sealed record LazyBody(Type Type, IReadOnlyList<string> ContentTypes);

internal static class ValidationErrors
{
    public static Dictionary<string, string[]> ToErrors(this FluentValidation.Results.ValidationResult result) =>
        result.Errors.GroupBy(e => JsonNamingPolicy.SnakeCaseLower.ConvertName(e.PropertyName), StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Select(e => e.ErrorMessage).ToArray(), StringComparer.Ordinal);
}
