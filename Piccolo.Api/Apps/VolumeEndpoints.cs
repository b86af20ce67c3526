using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Http;
using Piccolo.Api.Security;
using Piccolo.Core.Apps;
using Piccolo.Core.Volumes;

namespace Piccolo.Api.Apps;

/// <summary>A sealed volume.</summary>
/// <param name="Installed">Whether its app is installed; the volume of a removed app waits for the app to be installed again.</param>
/// <param name="Mounted">Whether it is open now, so that its app can use it.</param>
/// <param name="UsedBytes">On the disk, encrypted; absent where it could not be seen.</param>
/// <param name="SizeLimitBytes">Absent where it has none.</param>
public sealed record VolumeResponse(
    string App, string Name, bool Installed, bool Mounted, long? UsedBytes, long? SizeLimitBytes, DateTimeOffset CreatedAt);

public sealed record VolumesResponse(IReadOnlyList<VolumeResponse> Volumes);

/// <summary>What apps keep: sealed, one directory for each volume.</summary>
internal static class VolumeEndpoints
{
    public static RouteGroupBuilder MapVolumes(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("").WithTags("apps").RequireUnlocked().RequireOwner();
        group.MapGet("/volumes", List).WithName("ListVolumes").WithSummary("All sealed volumes, those of removed apps included.");
        group.MapGet("/apps/{name}/volumes", ListOfApp).WithName("ListAppVolumes").WithSummary("One app's sealed volumes.");
        return group;
    }

    private static Ok<VolumesResponse> List(IAppVolumes volumes, AppCatalog catalog)
    {
        var installed = catalog.List().Select(a => a.Name).ToHashSet(StringComparer.Ordinal);
        return TypedResults.Ok(new VolumesResponse([.. volumes.List().Select(v => Of(v, installed.Contains(v.App)))]));
    }

    private static Results<Ok<VolumesResponse>, ProblemHttpResult> ListOfApp(string name, IAppVolumes volumes, AppCatalog catalog)
    {
        var isInstalled = catalog.Find(name) is not null;
        var kept = volumes.List().Where(v => v.App == name).Select(v => Of(v, isInstalled)).ToList();
        return isInstalled || kept.Count > 0 ? TypedResults.Ok(new VolumesResponse(kept)) : Problems.NotFound($"app '{name}'");
    }

    private static VolumeResponse Of(VolumeView volume, bool isInstalled) =>
        new(volume.App, volume.Name, isInstalled, volume.IsMounted, volume.UsedBytes, volume.SizeLimitBytes, volume.CreatedAt);
}
