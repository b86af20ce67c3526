using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Http;
using Piccolo.Api.Jobs;
using Piccolo.Core.Apps.Following;
using Piccolo.Core.Remote;

namespace Piccolo.Api.Apps;

/// <summary>Opens a job for each command to an app, and answers with it where the client prefers that.</summary>
internal sealed class AppCommands(AppJobs jobs)
{
    /// <returns>The answer of a client that does not want to wait; null where the ordinary one is to be given, which then links to the job.</returns>
    public Accepted<JobResponse>? Follow(AppAim aim, HttpContext http)
    {
        if (jobs.Follow(aim, RemoteNames.RulesFor) is not { } job) return null;
        if (!Preferences.Has(http.Request.Headers[Preferences.Header], Preferences.RespondAsync))
        {
            http.Response.Headers.Append("Link", $"<{job.ToPath()}>; rel=\"monitor\"");
            return null;
        }
        http.Response.Headers.Append(Preferences.AppliedHeader, Preferences.RespondAsync);
        return TypedResults.Accepted(job.ToPath(), job.ToResponse());
    }
}
