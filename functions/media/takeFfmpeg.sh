# Takes Debian's ffmpeg and the libraries that it loads into a folder: sh takeFfmpeg.sh ARCHITECTURE FOLDER
set -eu
target=$1
folder=$2
work=$(mktemp -d)
mkdir -p "$work/lists/partial" "$work/archives/partial" "$folder/usr/bin" "$folder/usr/lib"
# The image of the target has the same packages as this one, for another processor.
sed "s/^Architecture: $(dpkg --print-architecture)$/Architecture: $target/" /var/lib/dpkg/status > "$work/status"
apt() {
  apt-get -qq -o "APT::Architecture=$target" -o "APT::Architectures::=$target" -o "Dir::State::status=$work/status" \
    -o "Dir::State::Lists=$work/lists" -o "Dir::Cache::archives=$work/archives" -o Dir::Cache::pkgcache= \
    -o Dir::Cache::srcpkgcache= "$@"
}
apt update
apt install --yes --download-only --no-install-recommends ffmpeg > "$work/log"
for package in "$work"/archives/*.deb; do dpkg-deb -x "$package" "$work/files"; done
# In the image, /lib is a link to /usr/lib.
if [ -d "$work/files/lib" ]; then cp -a "$work/files/lib/." "$work/files/usr/lib/"; fi
cp -a "$work/files/usr/bin/ffmpeg" "$folder/usr/bin/"
for libraries in "$work"/files/usr/lib/*-linux-gnu; do
  place="$folder/usr/lib/$(basename "$libraries")"
  mkdir -p "$place"
  cp -a "$libraries"/*.so* "$libraries"/*/*.so* "$place/"
done
# Their licences go with them.
mkdir -p "$folder/usr/share"
cp -a "$work/files/usr/share/doc" "$folder/usr/share/"
rm -rf "$work"
