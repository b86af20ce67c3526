namespace Piccolo.Core.Apps.Manifest.Notation;

/// <summary>The words for kinds of volumes.</summary>
internal static class VolumeKinds
{
    public static VolumeKind? Of(string word) => word switch
    {
        "data" => VolumeKind.Data,
        "cache" => VolumeKind.Cache,
        "media" => VolumeKind.Media,
        "from_image" => VolumeKind.FromImage,
        _ => null,
    };

    public static string WordOf(VolumeKind kind) => kind == VolumeKind.FromImage ? "from_image" : kind.ToString().ToLowerInvariant();
}
