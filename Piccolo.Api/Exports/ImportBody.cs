using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Piccolo.Api.Http;

namespace Piccolo.Api.Exports;

/// <summary>
/// An import's body: multipart/form-data with <c>password</c>, then <c>setup_code</c> where the console shows one, then <c>file</c>, which is never held in
/// memory. In a body the password does not show in addresses, headers and their logs.
/// </summary>
public sealed class ImportBody : IEndpointParameterMetadataProvider
{
    private const int MaxTextBytes = 4096;
    private const int MaxBoundaryLength = 100;

    private readonly HttpContext _context;

    private ImportBody(HttpContext context) => _context = context;

    public static ValueTask<ImportBody> BindAsync(HttpContext context, ParameterInfo parameter) => new(new ImportBody(context));

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new LazyBody(typeof(ImportForm), ["multipart/form-data"]));

    /// <summary>Reads up to the file's first byte. Either the form or the problem is set.</summary>
    public async Task<(OpenedImport? Form, ProblemHttpResult? Problem)> OpenAsync(CancellationToken cancellationToken)
    {
        if (Boundary() is not { } boundary)
            return (null, Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported_media_type", "Unsupported media type",
                "An import is sent as multipart/form-data: first 'password', then 'file'."));
        if (_context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = null;
        try
        {
            var reader = new MultipartReader(boundary, _context.Request.Body);
            var part = await reader.ReadNextSectionAsync(cancellationToken);
            if (NameOf(part) != "password" || await ReadTextAsync(part!.Body, cancellationToken) is not { Length: > 0 } password) return InvalidForm();
            part = await reader.ReadNextSectionAsync(cancellationToken);
            string? code = null;
            if (NameOf(part) == "setup_code")
            {
                code = await ReadTextAsync(part!.Body, cancellationToken);
                part = await reader.ReadNextSectionAsync(cancellationToken);
            }
            return NameOf(part) == "file" ? (new OpenedImport(password, code, part!.Body), null) : InvalidForm();
        }
        catch (Exception e) when (e is InvalidDataException or DecoderFallbackException || (e is IOException && e is not BadHttpRequestException))
        {
            return InvalidForm();
        }
    }

    private string? Boundary() =>
        MediaTypeHeaderValue.TryParse(_context.Request.ContentType, out var type)
        && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
        && HeaderUtilities.RemoveQuotes(type.Boundary) is { Length: > 0 and <= MaxBoundaryLength } boundary
            ? boundary.Value
            : null;

    private static string? NameOf(MultipartSection? section) =>
        section is not null && ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition)
            ? HeaderUtilities.RemoveQuotes(disposition.Name).Value
            : null;

    private static async Task<string?> ReadTextAsync(Stream body, CancellationToken cancellationToken)
    {
        var bytes = new byte[MaxTextBytes + 1];
        var length = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        return length > MaxTextBytes ? null : new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes, 0, length);
    }

    private static (OpenedImport?, ProblemHttpResult?) InvalidForm() =>
        (null, Problems.Of(StatusCodes.Status400BadRequest, "invalid_form", "Invalid form",
            "The form must have 'password' first, then 'setup_code' where one is required, and then 'file'.", "curl -F password=... -F file=@export.piccolo"));
}

/// <summary>The parts of the form, in this order, for the document.</summary>
public sealed record ImportForm(string Password, string? SetupCode, IFormFile File);

/// <param name="File">From its first byte on.</param>
public sealed record OpenedImport(string Password, string? SetupCode, Stream File);
