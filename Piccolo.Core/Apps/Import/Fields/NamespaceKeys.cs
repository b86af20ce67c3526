using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;

namespace Piccolo.Core.Apps.Import.Fields;

/// <summary>What a container may share with the box or with another container: nothing.</summary>
internal static class NamespaceKeys
{
    public static void Pid(ImportContext context, ServicePlan service, Field field) =>
        Say(context, field, "An app sees only its own processes.", isRefused: context.Single(field) is { Length: > 0 });

    public static void Ipc(ImportContext context, ServicePlan service, Field field) =>
        Say(context, field, "An app shares no memory with the box and other containers.",
            isRefused: context.Single(field) is not (null or "" or "private" or "shareable" or "none"));

    public static void Other(ImportContext context, ServicePlan service, Field field) =>
        Say(context, field, "An app has names and users of its own.", isRefused: context.Single(field) == "host");

    private static void Say(ImportContext context, Field field, string sentence, bool isRefused) =>
        context.Report.Add(field, isRefused ? ImportVerdict.Refused : ImportVerdict.Dropped, sentence);
}
