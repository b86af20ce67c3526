using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Containers;

namespace Piccolo.Core.Apps.Import.Fields;

/// <summary>Where the image comes from.</summary>
internal static class BuildKeys
{
    public static void Build(ImportContext context, ServicePlan service, Field field)
    {
        if (service.Image.Length > 0) context.Report.Add(field, ImportVerdict.Dropped, "The service has an image, too, which is fetched; nothing is built.");
        else context.Report.Add(field, ImportVerdict.Refused, "The box builds no images: the service needs an 'image' of a registry.");
    }

    /// <returns>False where the service has no image that can be used.</returns>
    public static bool TryImage(ImportContext context, ServicePlan service, Field fields)
    {
        if (fields.Find("image") is not { } field)
        {
            if (fields.Find("build") is null) context.Report.Add(fields, ImportVerdict.Refused, "The service has no image.");
            return false;
        }
        var text = context.Single(field) ?? "";
        // A tag that is a variable without a value: the name alone stands for 'latest'.
        var image = text.TrimEnd(':', '@');
        if (!ImageReference.TryParse(image, out var reference, out _) && image.LastIndexOf(':') is > 0 and var colon
            && ImageReference.TryParse(image[..colon], out _, out _))
        {
            service.Image = image[..colon];
            context.Report.Add(field, ImportVerdict.Asked, "Its tag is none; without one, the newest image is fetched. Name a tag in the manifest.", "image");
            return true;
        }
        if (reference is null)
        {
            context.Report.Add(field, ImportVerdict.Refused, "This is no name of an image.");
            return false;
        }
        service.Image = image;
        var isPinned = reference.Digest is not null || reference.Tag != "latest";
        context.Report.Add(field, ImportVerdict.Taken, isPinned ? "Fetched at the first start."
            : "Fetched at the first start. The tag stands for another image after each release.",
            "image");
        return true;
    }
}
