using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;
using Piccolo.Api.Audit;
using Piccolo.Api.Auth;
using Piccolo.Api.Http;
using Piccolo.Api.Jobs;
using Piccolo.Api.Security;
using Piccolo.Core.Audit;
using Piccolo.Core.Exports;

namespace Piccolo.Api.Exports;

/// <summary>The whole appliance as one file, and back.</summary>
internal static class ExportEndpoints
{
    private const string MediaType = "application/octet-stream";

    public static void MapExports(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/exports").WithTags("exports");
        group.MapPost("/import", ImportEndpoint.HandleAsync).WithMetadata(new OwnBodyLimit()).IsLocalWrite("only a box that nobody owns is imported onto")
            .WithName("ImportAppliance").WithSummary("Makes an unclaimed appliance the exported one. From its own network only; it is locked afterwards.");
        var owner = group.MapGroup("").RequireUnlocked().RequireOwner();
        owner.MapGet("", ListAsync).WithName("ListExports").WithSummary("The export files on the device, newest first.");
        owner.MapPost("/control", (ExportJobs jobs, HttpContext http) => Start(ExportKind.Control, jobs, http)).IsLocalWrite("reads this node's own store")
            .WithName("ExportControl").WithSummary("Exports key set and control store without the apps' volumes, as a job.");
        owner.MapPost("/full", (ExportJobs jobs, HttpContext http) => Start(ExportKind.Full, jobs, http)).IsLocalWrite("reads this node's own store")
            .WithName("ExportFull")
            .WithSummary("Exports key set, control store and the apps' encrypted volumes, as a job. Each app is stopped while its volumes are copied.");
        owner.MapGet("/{id}/download", Download).RequireWriteScope().WithName("DownloadExport")
            .WithSummary("The file, for a session or a token with scope 'write'; ranges are served.").Produces(StatusCodes.Status200OK, contentType: MediaType);
        owner.MapDelete("/{id}", Delete).IsLocalWrite("exports are files of this node").WithName("DeleteExport").WithSummary("Deletes an export file.");
    }

    private static async Task<Ok<ExportsResponse>> ListAsync(ExportLibrary library, ExportReader reader, CancellationToken cancellationToken)
    {
        var exports = new List<ExportResponse>();
        foreach (var export in await library.ListAsync(cancellationToken))
            exports.Add(export.ToResponse(await reader.ContentsOfAsync(export.Id, cancellationToken)));
        return TypedResults.Ok(new ExportsResponse(exports));
    }

    private static Results<Accepted<JobResponse>, ProblemHttpResult> Start(ExportKind kind, ExportJobs jobs, HttpContext http)
    {
        var (job, started) = jobs.Start(kind);
        if (!started)
            return Problems.Of(StatusCodes.Status409Conflict, "export_running", "An export is running", $"Job {job.Id} is still writing an export.",
                $"Wait for it, or cancel it: DELETE {job.ToPath()}.");
        http.Audit(AuditKinds.ExportStarted, ("kind", job.Kind), ("job", job.Id));
        return TypedResults.Accepted(job.ToPath(), job.ToResponse());
    }

    private static Results<PhysicalFileHttpResult, ProblemHttpResult> Download(string id, ExportLibrary library, HttpContext http)
    {
        if (library.Find(id) is not { } path) return NoSuchExport(id);
        // A download in pieces is one event, or two where it does not begin at the beginning.
        http.Audit(AuditKinds.ExportDownloaded, repeated: http.Request.GetTypedHeaders().Range?.Ranges.Any(r => r.From is > 0) == true, ("export", id));
        // An id never names another file: it is as good as a hash.
        var entityTag = new EntityTagHeaderValue($"\"{id}\"");
        return TypedResults.PhysicalFile(path, MediaType, Path.GetFileName(path), entityTag: entityTag, enableRangeProcessing: true);
    }

    private static Results<Ok<MessageResponse>, ProblemHttpResult> Delete(string id, ExportLibrary library, HttpContext http)
    {
        if (!library.Delete(id)) return NoSuchExport(id);
        http.Audit(AuditKinds.ExportDeleted, ("export", id));
        return TypedResults.Ok(new MessageResponse("export deleted"));
    }

    private static ProblemHttpResult NoSuchExport(string id) => Problems.NotFound($"export '{id}'");
}
