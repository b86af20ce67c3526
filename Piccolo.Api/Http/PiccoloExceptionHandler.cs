using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Core.Certificates;
using Piccolo.Core.ControlStore;

namespace Piccolo.Api.Http;

/// <summary>The last resort: what no handler expected becomes a problem document that tells nothing of the inside.</summary>
internal sealed class PiccoloExceptionHandler(ILogger<PiccoloExceptionHandler> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        if (context.RequestAborted.IsCancellationRequested) return true;
        var isExpected = exception is StoreSealedException or CertificateStoreClosedException or StoreFaultException or BadHttpRequestException;
        if (!isExpected) logger.Unexpected(context.Request.Method, context.Request.Path, exception);
        var problem = ToProblem(exception);
        context.Response.StatusCode = problem.StatusCode;
        await problem.ExecuteAsync(context);
        return true;
    }

    private static ProblemHttpResult ToProblem(Exception exception) => exception switch
    {
        // A request that began before a lock may meet the closed store.
        StoreSealedException or CertificateStoreClosedException => Problems.Locked(),
        StoreFaultException fault => Problems.Of(StatusCodes.Status503ServiceUnavailable, "storage_fault", "Storage fault", fault.Message,
            "See GET /api/v1/health/detail."),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => BodyLimit.TooLarge(),
        BadHttpRequestException bad => Problems.Of(bad.StatusCode, "bad_request", "Bad request", "The request could not be read."),
        _ => Problems.Of(StatusCodes.Status500InternalServerError, "internal_error", "Internal error",
            "Something went wrong in the appliance; its log has the details."),
    };
}
