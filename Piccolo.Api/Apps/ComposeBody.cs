using System.Collections.Immutable;
using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Piccolo.Api.Http;
using Piccolo.Core.Apps.Import;

namespace Piccolo.Api.Apps;

/// <summary>The parts of the form, in any order, for the document.</summary>
/// <param name="Compose">The compose file.</param>
/// <param name="Env">The <c>.env</c> beside it; its lines answer the questions of an import before.</param>
/// <param name="Name">What the app is called where the file does not say it.</param>
/// <param name="Without">Services to leave out, with commas between.</param>
/// <param name="Files">Other files of the folder, each under the path by which the compose file names it.</param>
public sealed record ComposeForm(IFormFile Compose, IFormFile? Env, string? Name, string? Without, IReadOnlyList<IFormFile>? Files);

/// <summary>A compose file and what lies beside it as a request's body: multipart/form-data, read only when the handler asks for it.</summary>
public sealed class ComposeBody : IEndpointParameterMetadataProvider
{
    private const int MaxBoundaryLength = 100;
    private const string InStep = "curl -F compose=@compose.yml -F env=@.env";

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly HttpContext _context;

    private ComposeBody(HttpContext context) => _context = context;

    public static ValueTask<ComposeBody> BindAsync(HttpContext context, ParameterInfo parameter) => new(new ComposeBody(context));

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new LazyBody(typeof(ComposeForm), ["multipart/form-data"]));

    /// <summary>Reads all parts. Either the source or the problem is set.</summary>
    public async Task<(ImportSource? Source, ProblemHttpResult? Problem)> ReadAsync(CancellationToken cancellationToken)
    {
        if (Boundary() is not { } boundary)
            return (null, Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported_media_type", "Unsupported media type",
                "A compose file is sent as multipart/form-data, in the part 'compose'.", InStep));
        try
        {
            return await ReadAsync(new MultipartReader(boundary, _context.Request.Body), cancellationToken);
        }
        catch (Exception e) when (e is InvalidDataException or DecoderFallbackException || (e is IOException && e is not BadHttpRequestException))
        {
            return Invalid("The form cannot be read, or a part of it is not UTF-8.");
        }
    }

    private static async Task<(ImportSource?, ProblemHttpResult?)> ReadAsync(MultipartReader reader, CancellationToken cancellationToken)
    {
        string? compose = null;
        var source = new ImportSource("");
        var files = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        while (await reader.ReadNextSectionAsync(cancellationToken) is { } section)
        {
            if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition)) return Invalid("A part of the form has no name.");
            var name = HeaderUtilities.RemoveQuotes(disposition.Name).Value;
            var text = await ReadTextAsync(section.Body, cancellationToken);
            switch (name)
            {
                case "compose":
                    compose = text;
                    break;
                case "env":
                    source = source with { Environment = text };
                    break;
                case "name":
                    source = source with { Name = text };
                    break;
                case "without":
                    source = source with { Without = [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)] };
                    break;
                default:
                    if (FileName(disposition) is not { Length: > 0 } file) return Invalid("A file of the form has no file name.");
                    if (files.Count == ImportSource.MaxCompanions) return Invalid($"More than {ImportSource.MaxCompanions} files came with the compose file.");
                    files[file.StartsWith("./", StringComparison.Ordinal) ? file[2..] : file] = text;
                    break;
            }
        }
        return compose is null ? Invalid("The form has no part 'compose'.") : (source with { Compose = compose, Companions = files.ToImmutable() }, null);
    }

    private static string? FileName(ContentDispositionHeaderValue disposition) =>
        HeaderUtilities.RemoveQuotes(disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName).Value;

    private static async Task<string> ReadTextAsync(Stream body, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        await body.CopyToAsync(bytes, cancellationToken);
        return StrictUtf8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    private string? Boundary() =>
        MediaTypeHeaderValue.TryParse(_context.Request.ContentType, out var type)
        && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
        && HeaderUtilities.RemoveQuotes(type.Boundary) is { Length: > 0 and <= MaxBoundaryLength } boundary
            ? boundary.Value
            : null;

    private static (ImportSource?, ProblemHttpResult?) Invalid(string detail) =>
        (null, Problems.Of(StatusCodes.Status400BadRequest, "invalid_form", "Invalid form", detail, InStep));
}
