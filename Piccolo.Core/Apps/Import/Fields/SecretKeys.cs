using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Import.Fields;

/// <summary>Secrets and configurations that the file hands to services as files.</summary>
internal static class SecretKeys
{
    public const string Folder = "/run/secrets/";

    private const string NoFiles = "This release cannot put a file into a container: the service starts without it.";

    /// <summary>A variable of the service that names the secret's file gets the secret itself, see <see cref="Inference.SecretInference"/>.</summary>
    public static void Secrets(ImportContext context, ServicePlan service, Field field)
    {
        foreach (var item in field.Items())
        {
            var name = item.Value is ManifestNode.Mapping ? item.Find("source") is { } source ? context.Single(source) : null : context.Single(item);
            if (name is { Length: > 0 } && service.Environment.Any(v => IsFileOf(v, name)))
                context.Report.Add(item, ImportVerdict.Translated, "The variable that named its file holds a generated secret now.", "secrets");
            else context.Report.Add(item, ImportVerdict.Dropped, NoFiles);
        }
        if (field.Value is ManifestNode.Scalar) context.Report.Add(field, ImportVerdict.Dropped, "It names no secret.");
    }

    public static void Configs(ImportContext context, ServicePlan service, Field field) => context.Report.Add(field, ImportVerdict.Dropped, NoFiles);

    public static bool IsFileOf(Variable variable, string secret) =>
        variable.Name.EndsWith("_FILE", StringComparison.Ordinal) && variable.Text == Folder + secret;
}
