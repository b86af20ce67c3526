using System.Reflection;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Net.Http.Headers;
using Piccolo.Api.Http;
using Piccolo.Core.Apps.Manifest;

namespace Piccolo.Api.Apps;

/// <summary>A manifest as a request's body: YAML, read only when the handler asks for it (see <see cref="RequestBody{T}"/>).</summary>
public sealed class ManifestBody : IEndpointParameterMetadataProvider
{
    public const string MediaType = "application/yaml";

    private static readonly string[] ContentTypes = [MediaType, "application/x-yaml", "text/yaml"];

    private readonly HttpContext _context;

    private ManifestBody(HttpContext context) => _context = context;

    public static ValueTask<ManifestBody> BindAsync(HttpContext context, ParameterInfo parameter) => new(new ManifestBody(context));

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new LazyBody(typeof(string), ContentTypes));

    /// <summary>Reads and validates. Either the manifest with its text or the problem is set.</summary>
    public async Task<(AppManifest? Manifest, string Text, ProblemHttpResult? Problem)> ReadAsync(CancellationToken cancellationToken)
    {
        var (result, text, problem) = await ParseAsync(cancellationToken);
        return (result?.Manifest, text, problem);
    }

    /// <summary>As <see cref="ReadAsync"/>, with the warnings. The result is a valid one.</summary>
    public async Task<(ManifestResult? Result, string Text, ProblemHttpResult? Problem)> ParseAsync(CancellationToken cancellationToken)
    {
        if (!IsYaml(_context.Request.ContentType))
            return (null, "", Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported_media_type", "Unsupported media type",
                $"A manifest is sent as {string.Join(", ", ContentTypes)}."));
        using var bytes = new MemoryStream();
        await _context.Request.Body.CopyToAsync(bytes, cancellationToken);
        var result = AppManifestParser.Parse(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
        return result.IsValid
            ? (result, System.Text.Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length), null)
            : (null, "", ManifestProblems.Invalid(result.Errors));
    }

    private static bool IsYaml(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type) && ContentTypes.Contains(type.MediaType.Value, StringComparer.OrdinalIgnoreCase);
}
