; A program that stands for launchpad.exe in the installer's tests: it writes how it was called beside itself.
Target amd64-unicode
Unicode true
Name "stand-in"
OutFile "${OUT}"
SilentInstall silent
RequestExecutionLevel user
!include "FileFunc.nsh"
Section
  ${GetParameters} $0
  FileOpen $1 "$EXEDIR\called.txt" w
  FileWrite $1 "$0"
  FileClose $1
SectionEnd
