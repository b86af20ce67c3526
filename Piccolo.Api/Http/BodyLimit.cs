using System.Globalization;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Piccolo.Api.Http;

/// <summary>Marks a route that limits its body itself, because it streams.</summary>
internal sealed record OwnBodyLimit;

/// <summary>No request to the API has a larger body; an announced larger one is refused before anything else looks at the request.</summary>
internal static class BodyLimit
{
    public const long Bytes = 1024 * 1024;

    public static IApplicationBuilder UseBodyLimit(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<OwnBodyLimit>() is not null) return next(context);
        if (context.Request.ContentLength > Bytes) return TooLarge().ExecuteAsync(context);
        // For bodies that do not say how long they are.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = Bytes;
        return next(context);
    });

    public static ProblemHttpResult TooLarge() => Problems.Of(StatusCodes.Status413PayloadTooLarge, "payload_too_large", "Payload too large",
        string.Create(CultureInfo.InvariantCulture, $"The body may have {Bytes / 1024} KiB at most."));
}
