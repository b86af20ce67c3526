using Piccolo.Core.Containers;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Exports;
using Piccolo.Core.Jobs;

namespace Piccolo.Api.Exports;

/// <summary>Joins exports with jobs: one export at a time, and its expected failures in words.</summary>
internal sealed class ExportJobs(JobTable jobs, ExportWriter writer, InstanceId instance)
{
    private const string Group = "exports";

    public (Job Job, bool Started) Start(ExportKind kind) =>
        jobs.Start(kind == ExportKind.Full ? "export_full" : "export_control", Group, (progress, cancellationToken) =>
            RunAsync(kind, progress, cancellationToken));

    private async Task<string?> RunAsync(ExportKind kind, IProgress<JobProgress> progress, CancellationToken cancellationToken)
    {
        try
        {
            var export = await writer.WriteAsync(kind, instance.Value, now =>
                progress.Report(new JobProgress(now.Phase, now.Done, now.Total)), cancellationToken);
            return export.Id;
        }
        catch (StoreSealedException e)
        {
            throw new JobInterruptedException("locked", "The appliance was locked before the export was finished.", e);
        }
        catch (ExportFailedException e)
        {
            throw new JobFailedException(e.Code, e.Message, e);
        }
        catch (StoreFaultException e)
        {
            throw new JobFailedException("storage_fault", e.Message, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JobFailedException("disk_fault", "The disk did not take the export; it may be full.", e);
        }
    }
}
